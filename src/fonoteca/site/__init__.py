"""ASGI application over one edition: pages, JSON, ranged audio out of packs."""
