"""A stand-in for Twilio, for the demo and the tests only: the service never imports it."""
