/**
 * `florin/stripe`: Stripe as a gateway of florin's, over its official SDK, and
 * its webhooks. Only who imports it loads the SDK.
 */

// --- Payments ---------------------------------------------------------------

export * as StripeGateway from "../infra/stripe/StripeGateway.ts"
export * as StripeCustomers from "../infra/stripe/StripeCustomers.ts"

// --- Webhooks ---------------------------------------------------------------

export * as StripeWebhook from "../infra/stripe/StripeWebhook.ts"

// --- Flows -------------------------------------------------------------------

export * as StripeFlows from "../edge/flows/StripeFlows.ts"
export * as StripeFlowGateway from "../infra/stripe/flows/StripeFlowGateway.ts"
export * as StripeFlowRequest from "../infra/stripe/flows/StripeFlowRequest.ts"

// --- What Stripe says, and what it means -------------------------------------

export * as StripeClassification from "../infra/stripe/StripeClassification.ts"
export * as StripeDecline from "../infra/stripe/StripeDecline.ts"
export * as StripeAmount from "../infra/stripe/StripeAmount.ts"

// --- Stripe itself ----------------------------------------------------------

export * as StripeSdk from "../infra/stripe/StripeSdk.ts"
export * as StripeApi from "../infra/stripe/StripeApi.ts"
export * as StripeRequest from "../infra/stripe/StripeRequest.ts"
