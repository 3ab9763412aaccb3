"""What is kept of people: given to them, forgotten when its time is over, erased when they ask."""
