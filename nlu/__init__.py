"""Everything about Rasa: its lock, its own components, our client to it, and how well it hears."""
