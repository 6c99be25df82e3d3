"""The built-in sample: public-domain tunes, rendered here, taken through the whole way."""
