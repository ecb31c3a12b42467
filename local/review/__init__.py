"""What reviewing earns: curves over several seeds, a person with mistakes, and a page that shows both."""
