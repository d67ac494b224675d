"""The TRON protocol: values in, values out. Pure."""
