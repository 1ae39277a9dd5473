"""The measured process: loads one engine and answers the host. Imports ``llem.api`` only."""
