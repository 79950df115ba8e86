"""A small network on one machine: hosts of their own, a load balancer, and lines that can be slow or cut."""
