"""What an owner does now and then: looking at registers, taking over from another integration, clearing away devices."""
