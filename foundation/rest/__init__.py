"""The partner API's plumbing: authentication, problems, paging, limits."""
