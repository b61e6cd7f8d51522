/** The last step of an ECDSA signature, which holds no secret: for whoever carries the messages. */
export { combineEcdsa, type Combined, type EcdsaSignature } from '../ecdsa/combine.ts'
export { ecdsaCurve } from '../ecdsa/curve.ts'
