"""What performs the jobs: each kind asks one thing of the world outside the database."""
