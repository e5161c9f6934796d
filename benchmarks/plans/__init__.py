"""What plans over large stores cost."""
