"""Application Auto Scaling as a service of the emulator."""
