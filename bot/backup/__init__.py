"""Everything that lasts, in one sealed file: all tables at one moment, and the folder of keys and seeds."""
