"""What the services' HTTP sides share: errors, limits, keys, page layout."""
