"""The local Comprehend as a service of the emulator, and its flywheels in templates."""
