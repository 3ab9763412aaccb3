"""Working time: when somebody is there, when next, how much of it lies between two instants. Pure."""
