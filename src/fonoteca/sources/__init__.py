"""What a catalogue says, as records: one module per source, each ignorant of the others and of the database."""
