#!/usr/bin/env python3
"""Write the picture files of tests/data/pictures/golden, and tests/golden/pictures.json: the pixels that Pillow reads there.

A row has the picture's sides and the sha256 of its pixels as RGBA, row by row. Where Pillow
keeps 16 bits of grey, the upper 8 of a PNG count, and of a PGM what Pillow makes of the same numbers in a PPM. PAM it does not
read: `pams` says what they are.

Examples:
  scripts/golden/pictures.py             files and golden
"""

import argparse
import hashlib
import io
import json
import struct
import sys
import zlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import numpy as np
from PIL import Image

from golden.pixels import pattern, picture
from program import ROOT

TESTS = ROOT / "tests"
File = tuple[str, bytes]


def smooth(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 120 * np.sin(x / 5 + c) * np.cos(y / 7 - c) + (x * y + c) % 5 for c in range(3)]
    return Image.fromarray(np.stack(waves, 2).clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def sampled(jpeg: bytes, factors: int) -> bytes:
    """The same coefficients under other sampling factors of luma: as many blocks a group, in another order."""
    at = jpeg.index(b"\xff\xc0") + 11
    return jpeg[:at] + bytes([factors]) + jpeg[at + 1:]


def jpegs() -> Iterator[File]:
    odd = smooth(37, 29)
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"{name}.jpg", saved(odd, "JPEG", subsampling=subsampling)
        yield f"{name}_progressive.jpg", saved(odd, "JPEG", subsampling=subsampling, progressive=True)
    yield "440.jpg", sampled(saved(smooth(32, 32), "JPEG", subsampling=1), 0x12)
    yield "411.jpg", sampled(saved(smooth(64, 64), "JPEG", subsampling=2), 0x41)
    for width, height in ((1, 1), (2, 1), (1, 17), (8, 8), (16, 16), (17, 33)):
        yield f"{width}x{height}.jpg", saved(smooth(width, height), "JPEG", subsampling=2)
    yield "restart.jpg", saved(odd, "JPEG", restart_marker_blocks=2)
    yield "restart_progressive.jpg", saved(odd, "JPEG", restart_marker_rows=1, progressive=True)
    yield "optimized.jpg", saved(odd, "JPEG", optimize=True, quality=100, subsampling=0)
    yield "coarse.jpg", saved(picture(37, 29, 3), "JPEG", quality=5)
    yield "rgb_inside.jpg", saved(odd, "JPEG", keep_rgb=True)
    yield "grey.jpg", saved(odd.convert("L"), "JPEG")
    yield "grey_progressive.jpg", saved(odd.convert("L"), "JPEG", progressive=True)
    four = Image.merge("CMYK", [*odd.split(), picture(37, 29, 1)])
    cmyk = saved(four, "JPEG", quality=90)
    yield "cmyk.jpg", cmyk
    yield "cmyk_progressive.jpg", saved(four, "JPEG", progressive=True)
    adobe = cmyk.index(b"Adobe")
    yield "ycck.jpg", cmyk[:adobe + 11] + b"\x02" + cmyk[adobe + 12:]
    yield "cmyk_unmarked.jpg", cmyk[:adobe - 4] + cmyk[adobe + 12:]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(rows: np.ndarray, colour: int, extra: bytes = b"", interlaced: bool = False) -> bytes:
    """A PNG of samples [height, width, channels] of 8 or 16 bits, unfiltered."""
    height, width, _ = rows.shape
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [rows[y::dy, x::dx] for y, x, dy, dx in passes] if interlaced else [rows]
    lines = [b"\0" + row.tobytes() for part in parts if part.size for row in part.astype(rows.dtype.newbyteorder(">"))]
    header = struct.pack(">IIBBBBB", width, height, rows.dtype.itemsize * 8, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(b"".join(lines)))
            + chunk(b"IEND", b""))


def wide(channels: int) -> np.ndarray:
    """16 bits, whose lower 8 are not their upper 8."""
    return (pattern(13, 9, channels).astype(np.uint16) << 8) + pattern(13, 9, channels)[::-1]


def pngs() -> Iterator[File]:
    grey = picture(13, 9, 1)
    yield "1.png", saved(grey.convert("1"), "PNG")
    for bits in (1, 2, 4, 8):
        yield f"palette{bits}.png", saved(picture(13, 9, 3).quantize(1 << bits), "PNG", bits=bits)
    yield "palette_alpha.png", saved(picture(13, 9, 3).quantize(16), "PNG", transparency=bytes(range(0, 160, 10)))
    yield "grey_hole.png", saved(grey, "PNG", transparency=int(pattern(13, 9, 1)[4, 4, 0]))
    yield "rgb_hole.png", saved(picture(13, 9, 3), "PNG", transparency=tuple(int(v) for v in pattern(13, 9, 3)[4, 4]))
    for name, channels, colour in (("grey", 1, 0), ("grey_alpha", 2, 4), ("rgb", 3, 2), ("rgba", 4, 6)):
        yield f"{name}16.png", png(wide(channels), colour)
        yield f"{name}_interlaced.png", png(pattern(13, 9, channels), colour, interlaced=True)
    yield "rgba16_interlaced.png", png(wide(4), 6, interlaced=True)
    for width, height in ((1, 1), (2, 3), (5, 1)):
        yield f"{width}x{height}_interlaced.png", png(pattern(width, height, 3), 2, interlaced=True)


def gifs() -> Iterator[File]:
    colours = [picture(37, 29, 3).quantize(1 << bits) for bits in range(1, 9)]
    for bits, image in enumerate(colours, 1):
        yield f"palette{bits}.gif", saved(image, "GIF", interlace=bits % 2)
    plain = saved(colours[3], "GIF", interlace=0)
    yield "grey.gif", saved(picture(37, 29, 1), "GIF")
    yield "hole.gif", saved(colours[3], "GIF", transparency=5)
    yield "89a.gif", saved(colours[3], "GIF", comment=b"x" * 300)
    yield "moving.gif", saved(colours[3], "GIF", save_all=True, append_images=[colours[2]])
    yield "large.gif", saved(smooth(150, 120).quantize(256), "GIF")  # its codes are full several times
    yield "part.gif", plain[:6] + struct.pack("<HH", 40, 35) + plain[10:]
    at = plain.index(b",", 13 + 48)
    yield "moved.gif", (plain[:6] + struct.pack("<HHBB", 40, 35, plain[10], 3) + plain[12:at + 1] + struct.pack("<HH", 2, 5)
                        + plain[at + 5:])
    hole = saved(colours[3], "GIF", transparency=5)
    yield "part_hole.gif", hole[:6] + struct.pack("<HH", 40, 35) + hole[10:]


def bmp(bits: int, rows: list[bytes], width: int, masks: tuple[int, ...] = (), colours: bytes = b"", top_down: bool = False
        ) -> bytes:
    body = b"".join(row + bytes(-len(row) % 4) for row in rows)
    height = -len(rows) if top_down else len(rows)
    between = struct.pack(f"<{len(masks)}I", *masks) + colours
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 3 if masks else 0, len(body), 0, 0, len(colours) // 4, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(between) + len(body), 0, 0, 54 + len(between)) + info + between + body


def bmps() -> Iterator[File]:
    colour, grey = picture(13, 9, 3), picture(13, 9, 1)
    yield "1.bmp", saved(grey.convert("1"), "BMP")
    yield "grey.bmp", saved(grey, "BMP")
    yield "palette.bmp", saved(colour.quantize(16), "BMP")
    yield "rgba.bmp", saved(Image.fromarray(pattern(13, 9, 4)), "BMP")
    samples = pattern(13, 9, 3)
    yield "top_down.bmp", bmp(24, [row[:, ::-1].tobytes() for row in samples], 13, top_down=True)
    nibbles = [bytes((row[x, 0] & 15) << 4 | (row[x + 1, 0] & 15 if x < 12 else 0) for x in range(0, 13, 2)) for row in samples]
    yield "palette4.bmp", bmp(4, nibbles, 13, colours=pattern(16, 1, 4).tobytes())


def tgas() -> Iterator[File]:
    images = {"grey": picture(13, 9, 1), "grey_alpha": Image.fromarray(pattern(13, 9, 2), "LA"), "rgb": picture(13, 9, 3),
              "rgba": Image.fromarray(pattern(13, 9, 4)), "palette": picture(13, 9, 3).quantize(16)}
    images["flat"] = Image.new("RGB", (300, 3), (10, 200, 30))
    for name, image in images.items():
        yield f"{name}.tga", saved(image, "TGA")
        yield f"{name}_packed.tga", saved(image, "TGA", compression="tga_rle")
        yield f"{name}_upright.tga", saved(image, "TGA", orientation=1)
    mirrored = bytearray(saved(images["rgb"], "TGA"))
    mirrored[17] |= 16
    yield "mirrored.tga", bytes(mirrored)


def numbers(samples: np.ndarray, most: int) -> bytes:
    return samples.astype(">u2" if most > 255 else np.uint8).tobytes()


def pnms() -> Iterator[File]:
    for most in (1, 2, 15, 100, 254, 255, 256, 1023, 4095, 65534, 65535):
        samples = wide(3).astype(np.uint32) * most // 65535
        yield f"p5_{most}.pgm", b"P5\n13 9\n%d\n" % most + numbers(samples[:, :, 0], most)
        yield f"p6_{most}.ppm", b"P6 13 9 %d " % most + numbers(samples, most)
        plain = " ".join(str(v) for v in samples.ravel()).encode()
        yield f"p3_{most}.ppm", b"P3\n# a comment\n13 9\n%d\n" % most + plain
    bits = pattern(13, 9, 1)[:, :, 0] > 100
    yield "p1.pbm", b"P1\n13 #x\n9\n" + b"\n".join(b"".join(b"1" if v else b"0" for v in row) for row in bits)
    yield "p1_blanks.pbm", b"P1 13 9\n" + b" ".join(b"1" if v else b"0" for v in bits.ravel()) + b"\n"
    yield "p4.pbm", b"P4\n#a\n#b\n13 9\n" + np.packbits(bits, axis=1).tobytes()
    yield "p2.pgm", b"P2\n13 9\n99\n# in between\n" + b"\n".join(b"%d" % (v % 100) for v in pattern(13, 9, 1).ravel())


def pams() -> Iterator[tuple[str, bytes, Image.Image]]:
    for kind, channels, most in (("GRAYSCALE", 1, 255), ("GRAYSCALE_ALPHA", 2, 255), ("RGB", 3, 1000), ("RGB_ALPHA", 4, 65535),
                                 ("BLACKANDWHITE", 1, 1), ("BLACKANDWHITE_ALPHA", 2, 1), ("", 3, 255)):
        samples = wide(channels).astype(np.uint32) * most // 65535
        head = f"P7\n# a comment\nWIDTH 13\nHEIGHT 9\nDEPTH {channels}\nMAXVAL {most}\n"
        head += f"TUPLTYPE {kind}\nENDHDR\n" if kind else "ENDHDR\n"
        scaled = np.array([round(int(v) / most * 255) for v in samples.ravel()], np.uint8).reshape(samples.shape)
        image = Image.fromarray(scaled[:, :, 0] if channels == 1 else scaled, {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels])
        yield f"{kind or 'untyped'}.pam".lower(), head.encode() + numbers(samples, most), image


FAMILIES = {"jpeg": jpegs, "png": pngs, "gif": gifs, "bmp": bmps, "tga": tgas, "pnm": pnms, "pam": pams}


def in_8_bits(image: Image.Image, content: bytes) -> Image.Image:
    """Of 16 bits of grey, those 8 that Pillow keeps of colours."""
    if content.startswith(b"\x89PNG"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    most = int(content.split()[3])
    samples = np.frombuffer(content[-2 * image.width * image.height:], ">u2")
    scaled = np.array([round(int(v) / most * 255) for v in samples], np.uint8)
    return Image.fromarray(scaled.reshape(image.height, image.width))


def picture_in(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return in_8_bits(image, content) if image.mode.startswith("I") else image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    rows = []
    folder = TESTS / "data" / "pictures" / "golden"
    folder.mkdir(exist_ok=True)
    for family, files in FAMILIES.items():
        for name, content, *told in files():
            (folder / f"{family}_{name}").write_bytes(content)
            image = (told[0] if told else picture_in(content)).convert("RGBA")
            rows.append({"file": f"{family}_{name}", "family": family, "width": image.width, "height": image.height,
                         "sha256": hashlib.sha256(image.tobytes()).hexdigest()})
    head = json.dumps({"made_by": "scripts/golden/pictures.py", "versions": {"pillow": version("pillow")}})
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (TESTS / "golden" / "pictures.json").write_text(f'{head[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(rows)} files")


if __name__ == "__main__":
    main()
