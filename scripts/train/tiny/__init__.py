"""How the bundled tiny models are made: scenes and captions, tokenizer, and one module for each trained part."""
