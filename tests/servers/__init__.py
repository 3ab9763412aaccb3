"""Real servers, and one of our own, that the tests start and stop by themselves on loopback."""
