"""The front door: pages for people, and addresses that mail programs and providers call."""
