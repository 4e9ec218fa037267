"""The timetable: lessons that change, and the news of it that reaches everybody concerned or comes back as a call sheet."""
