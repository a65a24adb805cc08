"""The events: one file a topic, `registry` lists them, `wire` turns them into Kafka records and back."""
