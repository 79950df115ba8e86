"""The dashboard: pages in a browser, on loopback by `ui` and at `/` of a hub, with the JSON that they show."""
