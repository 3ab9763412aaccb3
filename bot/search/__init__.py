"""Finding organisations, offices and people by a few words, however they are typed, for those who may see them.

`entries` reads what can be found, `index` keeps its words, `vocabulary` forgives spelling, `ranking` compares,
`finding` puts them together and reads what is shown from the database. `current` keeps the index true while the bot
runs. `view` and `cards` show what was found.
"""
