"""What does it mean here? Procedure, checks, binding, and the live station that turns a scan into a durable, bound record."""
