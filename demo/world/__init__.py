"""The drawn world the demo's model was trained on: seeded 32x32 pixel art with captions and a judge.

Nothing here knows about training. A picture is a pure function of a Spec (what the caption can say) and a
Details value (what it cannot): shifts, scene variants, eye colours and so on.
"""
