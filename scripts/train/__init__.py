"""The bundled tiny models: how they are trained, and how well they draw."""
