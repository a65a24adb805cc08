"""What intake knows of needs and candidates. Pure: no store, no Kafka, no HTTP."""
