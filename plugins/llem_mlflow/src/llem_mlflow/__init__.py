"""An observer that writes outcomes to MLflow."""
