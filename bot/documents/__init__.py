"""Documents that the bot writes: reports with charts, briefs of visits, and the PDF they become."""
