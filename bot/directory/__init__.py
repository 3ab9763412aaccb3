"""Who is where and answers for what: organisations, people, postings, competences, rooms, and who may do what."""
