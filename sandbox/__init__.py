"""An organisation to try things on: it speaks Okta's API and OpenID Connect, unknown to all other rooms."""
