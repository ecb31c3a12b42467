"""How the service is reached: the AWS JSON protocol, and the switches for tests."""
