"""Reference data: districts, industries, public holidays. Data and its readers; independent of rulebooks."""
