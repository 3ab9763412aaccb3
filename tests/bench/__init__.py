"""The bot beside bare Bolt and bare nio, on the same servers, in the same run."""
