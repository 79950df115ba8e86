"""The agents and skills that travel in the package: what their texts name, and what is derived from them."""
