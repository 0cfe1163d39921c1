"""Webhook endpoints, subscriptions and deliveries."""
