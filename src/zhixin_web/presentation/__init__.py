"""What faces share: template tags, charts, languages, paging."""
