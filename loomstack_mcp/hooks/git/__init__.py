"""Git's own hooks: what is told of commits as they are made, so that each is known as its run's."""
