import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pictureOf } from './demo-picture.ts'

const terminal =
  '\n  \u001b[1m\u001b[36mName\u001b[39m\u001b[22m  a < b & c\n\u001b[2mfaint\u001b[22m\n'

describe('the picture of a terminal', () => {
  it('has each piece of text at its column, in its colour, and nothing that markup would eat', () => {
    const picture = pictureOf(terminal)
    assert.match(picture, /<tspan x="36.8" fill="#79c0ff" font-weight="bold">Name<\/tspan>/)
    assert.match(picture, /<tspan x="87.2" fill="#e6edf3">a &lt; b &amp; c<\/tspan>/)
    assert.match(picture, /<text y="68"><tspan x="20.0" fill="#8b949e">faint<\/tspan><\/text>/)
    assert.ok(!picture.includes('\u001b'))
  })

  it('is as wide and high as what is on it', () => {
    assert.match(pictureOf('x'.repeat(100)), /width="880" height="74"/)
  })
})
