"""The service: everything between Twilio's webhook and Twilio's API, except deciding what to say."""
