import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key that is or was in use for tokens and hashes. The row holds its name only, from which nobody can learn the key. */
@Entity('secret_keys')
export class SecretKey {
  @PrimaryColumn('text', { name: 'key_id', primaryKeyConstraintName: 'secret_keys_pkey' })
  keyId!: string;

  /** How password hashes name it. */
  @Column('text', { name: 'pepper_id' })
  pepperId!: string;

  @Column('timestamptz', { name: 'first_made_at' })
  firstMadeAt!: Date;

  /** Since when it has been in use without a break: a key that is taken up again is the newest again. */
  @Column('timestamptz', { name: 'makes_since' })
  makesSince!: Date;

  /** Renewed by every instance, each minute at least. */
  @Column('timestamptz', { name: 'last_made_at' })
  lastMadeAt!: Date;

  /** When an instance last found that it does not accept it. */
  @Column('timestamptz', { name: 'refused_at', nullable: true })
  refusedAt!: Date | null;
}
