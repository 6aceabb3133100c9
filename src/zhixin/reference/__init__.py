"""Reference data: districts, industries, public holidays. Data and its readers; nothing here knows a rulebook."""
