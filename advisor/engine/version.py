"""Version of the engine: a change of any figure it gives raises it."""

ENGINE_VERSION = "0.5.0"
