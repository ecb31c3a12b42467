"""Files in which the review queue goes out to other annotation tools, and answers come in."""
