"""What an administrator may change: settings, reference data, topics and rules, texts in French and English."""
