"""What the four services have in common: events, Kafka, MongoDB, HTTP, tokens, metrics."""
