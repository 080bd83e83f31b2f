"""Prompts to conditioning: CLIP's text model, prompt weights, and prompts longer than 75 tokens."""

from __future__ import annotations

from pathlib import Path

import torch
from modules import prompt_parser
from modules.paths_internal import models_path

CHUNK = 75
TOKENIZER_FOLDER = Path(models_path) / "tokenizer"


class TokenizerMissing(RuntimeError):
    """vocab.json and merges.txt are not there."""


def load_tokenizer():
    """CLIP's tokenizer from the folder that set-up fills."""
    vocabulary, merges = TOKENIZER_FOLDER / "vocab.json", TOKENIZER_FOLDER / "merges.txt"
    if not (vocabulary.is_file() and merges.is_file()):
        raise TokenizerMissing(
            f"CLIP's tokenizer is not in {TOKENIZER_FOLDER}: run `python -m demo.make_tokenizer` once."
        )
    from transformers.models.clip.tokenization_clip import CLIPTokenizer

    return CLIPTokenizer(str(vocabulary), str(merges))


class FrozenCLIPEmbedder(torch.nn.Module):
    """The text model under its checkpoint name, `cond_stage_model.transformer`."""

    def __init__(self, config: dict) -> None:
        super().__init__()
        from transformers.models.clip.configuration_clip import CLIPTextConfig
        from transformers.models.clip.modeling_clip import CLIPTextModel

        known = {key: value for key, value in config.items() if key in CLIPTextConfig().to_dict()}
        self.transformer = CLIPTextModel(CLIPTextConfig(**known))
        self.tokenizer = None
        self.layer = "last"
        self.layer_idx = None


class FrozenCLIPEmbedderWithCustomWords(torch.nn.Module):
    """Wraps the embedder; the wrapper is made anew at every load, `.wrapped` stays."""

    def __init__(self, wrapped: FrozenCLIPEmbedder, hijack) -> None:
        super().__init__()
        self.wrapped = wrapped
        self.hijack = hijack
        self.is_trainable = False
        self.chunk_length = CHUNK
        if wrapped.tokenizer is None:
            wrapped.tokenizer = load_tokenizer()
        self.tokenizer = wrapped.tokenizer
        self.id_start = self.tokenizer.bos_token_id
        self.id_end = self.tokenizer.eos_token_id
        self.id_pad = self.id_end

    def tokenize(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, truncation=False, add_special_tokens=False)["input_ids"]

    def tokenize_line(self, line: str) -> tuple[list[tuple[list[int], list[float], list]], int]:
        """Chunks of (77 tokens, 77 weights, vectors at places), and how many tokens the prompt has."""
        from modules import shared

        if shared.opts.emphasis == "None":
            parsed = [[line, 1.0]]
        else:
            parsed = prompt_parser.parse_prompt_attention(line)
        tokens: list[int] = []
        weights: list[float] = []
        vectors: dict[int, torch.Tensor] = {}
        chunk_ends: list[int] = []
        for text, weight in parsed:
            if text == "BREAK" and weight == -1:
                chunk_ends.append(len(tokens))
                continue
            ids = self.tokenize([text])[0]
            at = 0
            while at < len(ids):
                embedding, length = self.hijack.embedding_db.find_embedding_at_position(ids, at)
                if embedding is None:
                    tokens.append(ids[at])
                    weights.append(weight)
                    at += 1
                    continue
                for vector in embedding.vec:
                    vectors[len(tokens)] = vector
                    tokens.append(0)
                    weights.append(weight)
                at += length
        chunks = []
        start = 0
        for end in [*chunk_ends, len(tokens)]:
            pieces = (
                range(start, end, CHUNK) if end > start else ([start] if not chunks or chunk_ends else [])
            )
            for at in pieces:
                stop = min(at + CHUNK, end)
                fixes = [(1 + place - at, vectors[place]) for place in range(at, stop) if place in vectors]
                chunks.append(self._chunk(tokens[at:stop], weights[at:stop], fixes))
            start = end
        return chunks, len(tokens)

    def _chunk(
        self, tokens: list[int], weights: list[float], fixes: list | None = None
    ) -> tuple[list[int], list[float], list]:
        pad = CHUNK - len(tokens)
        ids = [self.id_start, *tokens, self.id_end, *([self.id_pad] * pad)]
        return ids, [1.0, *weights, 1.0, *([1.0] * pad)], fixes or []

    def get_target_prompt_token_count(self, token_count: int) -> int:
        return -(-max(token_count, 1) // CHUNK) * CHUNK

    def forward(self, texts) -> torch.Tensor:
        """[prompts, 77 × chunks, width]; shorter prompts of one call are filled with empty chunks."""
        lines = [self.tokenize_line(text)[0] for text in texts]
        most = max(len(chunks) for chunks in lines)
        columns = []
        for at in range(most):
            column = [chunks[at] if at < len(chunks) else self._chunk([], []) for chunks in lines]
            self.hijack.fixes = [fixes for _, _, fixes in column]
            columns.append(
                self.process_tokens([ids for ids, _, _ in column], [weights for _, weights, _ in column])
            )
        self.hijack.fixes = None
        return torch.hstack(columns)

    def process_tokens(self, tokens: list[list[int]], weights: list[list[float]]) -> torch.Tensor:
        """Encode [n][77] tokens; weights stretch the rows, and the mean of each prompt is put back."""
        from modules import shared

        device = self.wrapped.transformer.text_model.embeddings.token_embedding.weight.device
        z = self.encode_with_transformers(torch.asarray(tokens).to(device))
        multipliers = torch.asarray(weights).to(device)
        if shared.opts.emphasis != "Original" or bool((multipliers == 1.0).all()):
            return z
        original = z.mean()
        z = z * multipliers.reshape(*multipliers.shape, 1).expand(z.shape)
        return z * (original / z.mean())

    def encode_with_transformers(self, tokens: torch.Tensor) -> torch.Tensor:
        from modules import shared

        skip = shared.opts.CLIP_stop_at_last_layers
        embeddings = self.wrapped.transformer.text_model.embeddings
        hook = embeddings.token_embedding.register_forward_hook(self._with_vectors)
        try:
            outputs = self.wrapped.transformer(input_ids=tokens, output_hidden_states=skip > 1)
        finally:
            hook.remove()
        if skip > 1:
            return self.wrapped.transformer.text_model.final_layer_norm(outputs.hidden_states[-skip])
        return outputs.last_hidden_state

    def _with_vectors(self, module, args, output: torch.Tensor) -> torch.Tensor | None:
        """Put the vectors of embeddings where their placeholders stand."""
        if not any(self.hijack.fixes or ()):
            return None
        output = output.clone()
        for row, fixes in enumerate(self.hijack.fixes):
            for place, vector in fixes:
                output[row, place] = vector.to(output)
        return output
