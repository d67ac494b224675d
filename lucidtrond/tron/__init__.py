"""The TRON protocol, pure: values in, values out."""
