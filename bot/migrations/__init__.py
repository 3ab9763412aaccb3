"""The steps from each release's tables to the next one's, shipped as package data."""
