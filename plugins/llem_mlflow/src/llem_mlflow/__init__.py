"""An observer that writes outcomes into MLflow."""
