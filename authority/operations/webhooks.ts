import { staff, read, signed, type Operation } from './operation.ts'

export const webhookOperations = {
  // A receiver of events gains no right: which there are is the server's to keep, not the log's.
  'webhooks.createWebhook': {
    ...signed,
    path: '/webhooks',
    permissions: ['Webhooks:Create'],
    callers: staff,
    creates: ['webhook'],
  },
  'webhooks.listWebhooks': {
    ...read,
    path: '/webhooks',
    permissions: ['Webhooks:Read'],
    callers: staff,
  },
  'webhooks.getWebhook': {
    ...read,
    path: '/webhooks/:webhookId',
    permissions: ['Webhooks:Read'],
    callers: staff,
  },
  'webhooks.updateWebhook': {
    ...signed,
    method: 'PUT',
    path: '/webhooks/:webhookId',
    permissions: ['Webhooks:Update'],
    callers: staff,
  },
  'webhooks.deleteWebhook': {
    ...signed,
    method: 'DELETE',
    path: '/webhooks/:webhookId',
    permissions: ['Webhooks:Delete'],
    callers: staff,
  },
  'webhooks.pingWebhook': {
    ...signed,
    path: '/webhooks/:webhookId/ping',
    permissions: ['Webhooks:Ping'],
    callers: staff,
  },
  'webhooks.listWebhookEvents': {
    ...read,
    path: '/webhooks/:webhookId/events',
    permissions: ['Webhooks:Events:Read'],
    callers: staff,
  },
  'webhooks.getWebhookEvent': {
    ...read,
    path: '/webhooks/:webhookId/events/:webhookEventId',
    permissions: ['Webhooks:Events:Read'],
    callers: staff,
  },
} as const satisfies Record<string, Operation>
